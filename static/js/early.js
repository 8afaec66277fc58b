// Runs before the first paint, so that nothing jumps: marks that scripts run, and restores the width of the navigation.
document.documentElement.dataset.script = "on";
const roomy = innerWidth >= 1024 ? "open" : "folded";
try {
  document.documentElement.dataset.rail = localStorage.getItem("rail") ?? roomy;
} catch {
  // The browser may forbid storage; then the navigation starts open on every screen.
}
