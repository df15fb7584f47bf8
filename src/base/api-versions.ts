/**
 * Whether a copy of the OpenTelemetry API of version `version` cannot see what a copy of version
 * `registered` registered. A copy sees globals of its own minor version and of newer ones.
 */
export function isBlindTo(version: string | undefined, registered: string | undefined): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  const [ownMajor = 0, ownMinor = 0] = numbersOf(registered);
  return major !== ownMajor || minor > ownMinor;
}

function numbersOf(version: string | undefined): number[] {
  return (version ?? '').split('.').map(Number);
}
