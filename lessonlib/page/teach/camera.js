// The camera: for several photos while a button is held, or for one answer after the other.
import { $ } from "./view.js";

let stream;

export async function start(video) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This device has no camera that a page may use. Choose files instead.");
  try { stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); }
  catch (e) {
    const refused = e.name === "NotAllowedError", none = e.name === "NotFoundError";
    throw new Error(refused ? "The camera was refused. Allow it in the browser's settings for this page, or choose files instead."
      : none ? "No camera was found. Choose files instead." : `The camera cannot be used (${e.message}). Choose files instead.`);
  }
  video.srcObject = stream;
  await video.play();
}

export function stop(video) {
  stream?.getTracks().forEach(track => track.stop());
  stream = video.srcObject = null;
}

export function frame(video) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise(done => canvas.toBlob(done, "image/jpeg", 0.95));
}

export async function takeSeveral(title, take) { // calls `take` with each photo, until the dialog is closed
  const dialog = $("camera"), video = dialog.querySelector("video"), button = $("shoot");
  await start(video);
  let held, taken = 0;
  const shoot = async () => {
    take(await frame(video), `camera ${++taken}.jpg`);
    $("taken").textContent = taken === 1 ? "1 photo taken" : `${taken} photos taken`;
  };
  const press = e => {
    if (e.key && ![" ", "Enter"].includes(e.key)) return;
    e.preventDefault();
    if (held) return; // a key that is held repeats by itself
    button.focus();
    shoot();
    held = setInterval(shoot, 300);
  };
  const release = () => { clearInterval(held); held = null; };
  Object.assign(button, { onpointerdown: press, onkeydown: press, onpointerup: release, onpointercancel: release, onpointerleave: release, onkeyup: release, onblur: release });
  $("h-camera").textContent = title;
  $("taken").textContent = "";
  $("close").onclick = () => dialog.close();
  dialog.onclose = () => { release(); stop(video); };
  dialog.showModal();
}
