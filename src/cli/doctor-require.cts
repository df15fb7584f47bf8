/*
 * Loads the doctor before the `--require` preloads of the application, which Node runs before all
 * `--import` preloads. Where a loader serves ES modules to `import` alone, the `--import` preload
 * that follows does it.
 */
try {
  // oxlint-disable-next-line import/no-unassigned-import
  require('./doctor-preload.js');
} catch {
  // What went wrong is reported by the import.
}
