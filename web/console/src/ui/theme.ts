// Light, dark, or as the system has it; kept in this browser.

export type Theme = "system" | "light" | "dark";
const key = "tailrace.theme";

export function theme(): Theme {
  try {
    const kept = localStorage.getItem(key);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

/** Charts, which draw on a canvas, listen for `themechange` on window. */
export function applyTheme(wanted: Theme = theme()): void {
  try {
    wanted === "system" ? localStorage.removeItem(key) : localStorage.setItem(key, wanted);
  } catch {
    // Without storage it holds until the page goes.
  }
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  window.dispatchEvent(new Event("themechange"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => window.dispatchEvent(new Event("themechange")));
