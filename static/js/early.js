// Runs before the first paint: says that scripts run, how wide the rail was left, and whether shortcuts are wanted.
document.documentElement.dataset.script = "on";
try {
  document.documentElement.dataset.rail = localStorage.getItem("rail") ?? "open";
  document.documentElement.dataset.shortcuts = localStorage.getItem("shortcuts") ?? "on";
} catch {
  // Storage may be forbidden; the rail then starts open and shortcuts work.
}
