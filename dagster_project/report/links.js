/* On every page: links to other pages keep the choice in the address, and links within a page do not remove it. */
const keepChoice = (choice) => {
  if (!choice) return;
  for (const link of document.querySelectorAll("a[href][data-keeps-choice]")) {
    link.href = `${link.getAttribute("href").split("#")[0]}#${link.dataset.keepsChoice}${choice}`;
  }
};
keepChoice(location.hash.replace(/^#[^/]*/, ""));
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!target) return;
  event.preventDefault();
  target.closest("details")?.setAttribute("open", "");
  target.tabIndex = -1;
  target.focus();
  target.scrollIntoView();
});
