import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

import { Project } from './project.ts';

const SERVER = `
import { once } from 'node:events';
import http2 from 'node:http2';
import lines from 'line-client';
const pool = new lines.Pool();
let come;
const all = new Promise((resolve) => (come = resolve));
let left = 3;
const serve = (req, res) => {
  if (req.url === '/echo') {
    req.on('data', (chunk) => res.write(chunk));
    return req.on('end', () => res.end());
  }
  if (--left === 0) come();
  pool.acquire(async (release) => {
    await all;
    setImmediate(() => {
      res.end('done'); // http2: yours
      release();
    });
  });
};
const isStreams = process.argv[2] === 'streams';
const server = isStreams
  ? http2.createServer().on('stream', (stream, headers) => {
      stream.url = headers[':path'];
      stream.respond({ ':status': 200 });
      serve(stream, stream);
    })
  : http2.createServer(serve);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const session = http2.connect('http://127.0.0.1:' + server.address().port);
const get = async (path, body) => {
  const request = session.request({ ':path': path, ':method': body ? 'POST' : 'GET' });
  request.end(body);
  await once(request.resume(), 'end');
};
await get('/echo', 'body'.repeat(20_000));
if (process.argv.at(-1) !== 'healthy') await Promise.all([get('/pool'), get('/pool'), get('/pool')]);
session.close();
server.close();
`;

describe('clew doctor of a server of HTTP/2', function () {
  this.timeout(120_000);
  let project: Project;

  before(() => {
    project = new Project();
    writeFileSync(project.path('http2.mjs'), SERVER);
  });
  after(() => project.remove());

  for (const [what, args] of [
    ['responses', []],
    ['streams, where nothing listens for requests,', ['streams']],
  ] as const) {
    it(`takes its ${what} for anchors, requests of one session apart`, async () => {
      const { report } = await project.doctor('http2.mjs', ...args);
      assert.equal(report.requests, 4);
      const [finding, ...more] = report.findings;
      assert.deepEqual(more, []);
      assert.equal(finding?.name, 'CLEW-MIXED-QUEUE');
      assert.equal(finding.certainty, 'proven');
      assert.equal(finding.count, 2);
      assert.equal(finding.yourLine?.line, project.line('http2.mjs', 'http2: yours'));
      assert.equal(finding.handOver?.package, 'line-client');
      assert.equal(finding.resource?.type, 'HTTP2STREAM');
      assert.equal(finding.resource.bornIn, 'GET /pool');
      assert.equal(finding.owner?.label, 'GET /pool');
      assert.match(finding.owner.evidence, /called (?:res|stream)\.end\(\) of that request/);
    });

    it(`finds nothing in listeners of the request itself, with ${what}`, async () => {
      const { report, result } = await project.doctor('http2.mjs', ...args, 'healthy');
      assert.deepEqual(report.findings, []);
      assert.equal(report.requests, 1);
      assert.equal(result.code, 0);
    });
  }
});
