import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * There is no Docker engine where these tests run: what can be read off the file is checked, and
 * not that it comes up.
 */
describe('docker-compose.yml', () => {
  const text = readFileSync(
    fileURLToPath(new URL('../../docker-compose.yml', import.meta.url)),
    'utf8',
  );
  const services = text
    .slice(text.indexOf('\nservices:'))
    .split(/\n(?= {2}[a-z]+:\n)/)
    .slice(1);

  it('has Jaeger and the five databases', () => {
    const names = services.map((service) => /^ {2}([a-z]+):/.exec(service)?.[1]);
    assert.deepEqual(names, ['jaeger', 'postgresql', 'mysql', 'mariadb', 'redis', 'mongodb']);
  });

  it('pins every image, watches the health of every service, and publishes on loopback only', () => {
    for (const service of services) {
      assert.match(service, /image: \S+:\d+\.\d+(?:\.\d+)?\S*\n/, service);
      assert.match(service, /healthcheck:\n {6}test: /, service);
      const ports = [...service.matchAll(/'([\d.:]+:\d+)'/g)].map(([, port]) => port ?? '');
      assert.ok(ports.length > 0, service);
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    }
  });
});
