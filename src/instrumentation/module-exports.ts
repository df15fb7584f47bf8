// Exports of foreign modules have no type we could know.
// oxlint-disable-next-line typescript/no-explicit-any
export type ModuleExports = any;
