// Runs before the first paint: says that scripts run and how wide the rail was left.
document.documentElement.dataset.script = "on";
const roomy = innerWidth >= 1024 ? "open" : "folded";
try {
  document.documentElement.dataset.rail = localStorage.getItem("rail") ?? roomy;
} catch {
  // Storage may be forbidden; the rail then starts open on any screen.
}
