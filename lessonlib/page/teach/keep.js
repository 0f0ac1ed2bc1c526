// Photos and classes in the browser's own store, so that a reload loses nothing.

let db;

const done = request => new Promise((good, bad) => { request.onsuccess = () => good(request.result); request.onerror = () => bad(request.error); });

export async function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => { request.result.createObjectStore("photos", { keyPath: "id" }); request.result.createObjectStore("classes", { keyPath: "id" }); };
  db = await done(request);
}

function change(work) { // all of it or nothing; fails if the store is full
  return new Promise((good, bad) => {
    const transaction = db.transaction(["photos", "classes"], "readwrite");
    transaction.oncomplete = good;
    transaction.onabort = transaction.onerror = () => bad(transaction.error);
    work(transaction.objectStore("photos"), transaction.objectStore("classes"));
  });
}

export const keepPhoto = photo => change(photos => photos.put(photo));
export const dropPhotos = ids => change(photos => ids.forEach(id => photos.delete(id)));
export const keepClasses = list => change((_, classes) => { classes.clear(); list.forEach((c, order) => classes.put({ ...c, order })); });
export const wipe = () => change((photos, classes) => { photos.clear(); classes.clear(); });

export async function kept() {
  const transaction = db.transaction(["photos", "classes"]);
  const [photos, classes] = await Promise.all(["photos", "classes"].map(s => done(transaction.objectStore(s).getAll())));
  return { photos, classes: classes.sort((a, b) => a.order - b.order) };
}
