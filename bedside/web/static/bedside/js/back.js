// Back leads to the form again, never to "send the form again?": what a POST drew (errors, a time that is gone, a question before
// something that can't be undone) gets the address of its form when it is sent on.

document.addEventListener("submit", (event) => {
  const here = event.target.dataset.here ?? document.body.dataset.here;
  if (here && !event.defaultPrevented) history.replaceState(null, "", here);
});
