/** Why a request failed, without anything of the application in it. */
export interface Failure {
  /** `error.type`: the code of the error where it has one, else its name. */
  readonly type: string;
  /** What may be shown: of errors that Node and undici make, which name hosts and no contents. */
  readonly message: string | undefined;
}

const CODE = /^[A-Z][A-Z\d_]{1,60}$/;
const NAME = /^[A-Za-z_$][\w$.]{0,60}$/;

/** Describes an error. Never throws, whatever was thrown. */
export function describeFailure(error: unknown): Failure {
  try {
    return describe(error);
  } catch {
    return { type: '_OTHER', message: undefined };
  }
}

function describe(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return { type: '_OTHER', message: undefined };
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  if (typeof code === 'string' && CODE.test(code)) {
    return { type: code, message: typeof message === 'string' ? message.slice(0, 500) : undefined };
  }
  const type = typeof name === 'string' && NAME.test(name) ? name : '_OTHER';
  // `AbortSignal.timeout` and `abort()` make these; a reason of the application's has a name of its own.
  return { type, message: undefined };
}
