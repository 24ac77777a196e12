// Dark mode by button, and pages printed with everything unfolded.
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : prefersDark.matches);

{
  const root = document.documentElement;
  const button = plainButton("Dark mode", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  const show = () => button.setAttribute("aria-pressed", isDark());
  button.classList.add("theme");
  prefersDark.addEventListener("change", show);
  show();
  document.querySelector("header").prepend(button);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}
