/* The preload as `node --require clew/register app.js` loads it: synchronous, and CommonJS. */
{
  const { launch, report } = require('./launch.cjs') as {
    launch: () => object;
    report: (outcome: object) => void;
  };
  report(launch());
}
