// Appended to fuse.js: of all that fits, first what defines the name or the word that was asked for, then headings that bear it,
// then texts that contain it, exercises last; lessons before foundations in each of these; within them as well as fuse.js says.
(() => {
  const search = Fuse.prototype.search;
  const words = text => ` ${(text || "").toLowerCase().replace(/[^\w]+/g, " ").trim()} `;
  const kind = (item, asked) => {
    const bears = text => words(text).includes(` ${asked}`);  // the last word may be half typed
    if (item.name && words(item.section) === ` ${asked} `) return 0;
    if (/^(Questions|Exercises)$/.test(item.section)) return 5;
    return bears(item.section) ? (item.name ? 1 : 2) : bears(item.title) ? 3 : bears(item.text) ? 4 : 6;
  };
  Fuse.prototype.search = function (query, options = {}) {
    const asked = words(query).trim();
    const all = words => search.call(this, words, { ...options, limit: -1 });
    let found = all(query);
    const [first, ...others] = query.match(/\S+/g) || [];
    if (!found.length && others.length) {  // nobody says it in these words together
      const having = others.map(word => new Set(all(word).map(one => one.refIndex)));
      found = all(first).filter(one => having.every(places => places.has(one.refIndex)));
    }
    const ranks = new Map(found.map(one => [one, 2 * kind(one.item, asked) + (one.item.shelf || 0)]));
    found.sort((a, b) => ranks.get(a) - ranks.get(b));
    return options.limit > 0 ? found.slice(0, options.limit) : found;
  };
})();
