import type { ClientDefinition } from './client.ts';
import { resolveClientConfig, type ClientConfig } from './client-config.ts';
import { checkOptionsOf, type ClientName } from './client-options.ts';
import { LibraryInstrumentation, modulesFor, scopeOf } from './library-instrumentation.ts';
import { Recorder } from './recorder/recorder.ts';
import { VERSION } from './version.ts';

/** The instrumentation of one client library: spans of its operations. */
export class ClientInstrumentation extends LibraryInstrumentation<ClientConfig> {
  readonly #client: ClientName;
  readonly #recorder: Recorder;
  readonly #requireParent: boolean | 'housekeeping';

  /** `requireParent` is the default in place of the client's own. */
  constructor(
    client: ClientDefinition,
    config: ClientConfig = {},
    requireParent: boolean | 'housekeeping' = client.requireParent ?? 'housekeeping',
  ) {
    const recorder = new Recorder(
      scopeOf(client.name),
      VERSION,
      resolveClientConfig(config, requireParent),
      client.responses,
    );
    super(client.name, modulesFor(client.modules, recorder), config, recorder.providers);
    this.#client = client.name as ClientName;
    this.#recorder = recorder;
    this.#requireParent = requireParent;
  }

  protected override configure(config: ClientConfig): void {
    checkOptionsOf(this.#client, config);
    this.#recorder.config = resolveClientConfig(config, this.#requireParent);
  }
}
