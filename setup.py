"""Turn settings.ini into a package; the facts are there, none are here."""
from configparser import ConfigParser
from pathlib import Path
from setuptools import setup

parser = ConfigParser(delimiters=["="])
parser.read("settings.ini", encoding="utf-8")
facts = parser["DEFAULT"]


def lines(key): return facts[key].strip().splitlines()


setup(
    version=facts["version"], description=facts["description"], author=facts["author"],
    license=facts["license"], keywords=facts["keywords"].split(),
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    project_urls={"Source": facts["repository"], "Issues": f"{facts['repository']}/issues",
                  "Changelog": f"{facts['repository']}/blob/main/CHANGELOG.md"},
    python_requires=f">={facts['min_python']}",
    install_requires=lines("requirements"),
    extras_require={extra: lines(f"{extra}_requirements") for extra in ("offline", "app", "models", "notebooks", "dev")},
    entry_points={"console_scripts": lines("console_scripts"),
                  "nbdev": ["lessonlib = lessonlib._modidx:d"]},
    packages=["lessonlib", "lessonlib.tests", "lessonlib.nbs", "lessonlib.nbs.foundations"],
    package_dir={"lessonlib.nbs": "nbs"},
    package_data={"lessonlib": ["page/*", "page/teach/*", "page/exercises/*", "page/questions/*"], "lessonlib.nbs": ["*.ipynb", "images/*", "matplotlibrc"], "lessonlib.nbs.foundations": ["*.ipynb", "matplotlibrc"]},
)
