// Native dialogs: <button data-dialog="id"> opens, [data-dialog-close] and a click beside it close, and a dialog with
// data-dialog-open is open on arrival. data-dialog-return is where closing goes, for panels that have their own URL.

function openMarked(root) {
  const marked = root.matches?.("dialog[data-dialog-open]") ? [root] : root.querySelectorAll?.("dialog[data-dialog-open]") ?? [];
  for (const dialog of marked) {
    dialog.removeAttribute("data-dialog-open");
    if (!dialog.open) dialog.showModal();
  }
}

function pressed(event) {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  if (event.target.closest("[data-dialog-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
    return;
  }
  // The backdrop belongs to the dialog element itself: a press on it has the dialog as target, outside its box.
  if (event.target.nodeName === "DIALOG" && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
}

function closed(event) {
  const back = event.target.dataset?.dialogReturn;
  if (back) window.location.assign(back);
}

document.addEventListener("click", pressed);
document.addEventListener("close", closed, true);
document.addEventListener("htmx:load", (event) => openMarked(event.detail.elt));
openMarked(document);
