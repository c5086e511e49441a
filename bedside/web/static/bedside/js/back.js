// Back from the payment page leads to the form again, never to "send the form again?": what a POST drew (errors, a time that is
// gone) gets the address of the form, which finds what was typed by the hold.

document.addEventListener("submit", (event) => {
  const { here } = event.target.dataset;
  if (here && !event.defaultPrevented) history.replaceState(null, "", here);
});
