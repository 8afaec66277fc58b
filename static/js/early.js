// Runs before the first paint: says that scripts run and how wide the rail was left.
document.documentElement.dataset.script = "on";
try {
  document.documentElement.dataset.rail = localStorage.getItem("rail") ?? "open";
} catch {
  // Storage may be forbidden; the rail then starts open.
}
