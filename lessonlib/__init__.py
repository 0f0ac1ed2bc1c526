__version__ = "0.1.0" # made from settings.ini by `lessonlib-dev readme`
