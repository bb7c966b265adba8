/**
 * The architecture, rule by rule, with reasons (docs/architecture.md). TypeScript's project references refuse most of
 * these imports already; this file says why, and covers what they cannot express: tests, packages, folders within a layer.
 */

/** Layers from the bottom up, each with those it may import. */
const LAYERS = {
  core: [],
  cluster: ['core'],
  controller: ['core', 'cluster'],
  gateway: ['core', 'cluster'],
  observers: ['core', 'cluster'],
  dashboard: ['core'],
  server: ['core', 'cluster', 'controller', 'gateway', 'observers'],
  demo: ['core', 'cluster', 'controller', 'gateway', 'observers', 'server'],
  cli: ['core', 'cluster', 'controller', 'gateway', 'observers', 'server', 'demo'],
};

const WHY = {
  core: 'core is the engine that both runtimes share; it must not learn where objects live or who serves them. Take what you need as an argument, or move the pure part down into core.',
  cluster:
    'cluster is the store port and its adapters: storage must not depend on who uses it. Let the user of the store watch it, or move the pure part into core.',
  controller:
    'controller, gateway and observers do not know each other: in Kubernetes the gateway is Envoy and the observer reads access logs. Talk through the store, or wire them together in server/runtime.ts.',
  gateway:
    'The gateway interprets routes and reports events; controller, gateway and observers do not know each other. Put what it needs into the route table (core/routing), or what it tells into core/evidence/request-event.ts.',
  observers:
    'Observers turn request events into evidence; controller, gateway and observers do not know each other. Take events through core/evidence/request-event.ts and let server/runtime.ts connect the two.',
  dashboard:
    'dashboard runs in a browser and knows the runtime by its HTTP API alone (docs/adr/0028). Take what both need from core; what the API answers is described in core/view.',
  server: 'server is used by cli and demo, not the other way round: `perch serve` runs without a demo. Pass a function or an option in.',
  demo: 'demo is one of the things that the command line starts; it must run (and be tested) without the command line. Pass options in.',
  cli: 'The dashboard runs in a browser: nothing in Node can load it, server hands out its bundle. Move what both need into core.',
};

const layerRules = Object.keys(WHY).map((layer) => ({
  name: `${layer}-imports-downwards-only`,
  comment: WHY[layer],
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...LAYERS[layer]].join('|')})/` },
}));

/** A package that only some folders may import. */
function packageOnlyIn(name, packages, folders, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^src/', pathNot: [`^src/(${folders})`, '\\.(test|cases)\\.ts$'] },
    to: { path: `(^|/)node_modules/(${packages})(/|$)` },
  };
}

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or hide a third: move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-without-node',
      comment:
        'core is pure: no I/O, no clock, no randomness, so that every run can be replayed and it also works in a browser. Take the value (time, random number, text of a file) as an argument.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '\\.(test|cases)\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-packages',
      comment: 'core may use zod (schemas), re2js (RE2) and yaml (parsing text is pure), nothing else: see docs/architecture.md.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '\\.(test|cases)\\.ts$' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(zod|re2js|yaml)(/|$)' },
    },
    {
      name: 'request-path-knows-no-release',
      comment:
        'On the path of a request a release is only routes (docs/adr/0002): the gateway and core/routing must work for any Istio objects. Let weaving write what you need into the routes.',
      severity: 'error',
      from: { path: '^src/(gateway|core/routing)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/core/(release|weave)/' },
    },
    packageOnlyIn(
      'yaml-is-read-in-core-source',
      'yaml',
      'core/source/|cli/installation/',
      'Text becomes objects in one place, core/source, which bounds sizes and aliases and remembers lines and columns. It becomes text there, too (yaml-text.ts). Use its functions; deploy/ alone is read with its comments.',
    ),
    packageOnlyIn(
      're2-runs-in-core-routing',
      're2js',
      'core/routing/',
      'User patterns run as RE2 behind the literal prefilter of core/routing, never anywhere else: a second matcher would disagree with it one day.',
    ),
    packageOnlyIn(
      'http-framework-in-server-only',
      'hono|@hono',
      'server/',
      'Hono serves the HTTP API. The gateway works on the bytes of HTTP itself, and the demo services are plain node:http.',
    ),
    packageOnlyIn(
      'metrics-in-server-only',
      'prom-client',
      'server/metrics/',
      'What is counted is told by small callbacks and read from its owner; server/metrics makes Prometheus’ text of it. Pass a callback in.',
    ),
    packageOnlyIn('argument-parsing-in-cli-only', 'commander', 'cli/', 'Arguments are read once, in cli; pass plain options down.'),
    {
      name: 'sqlite-behind-the-store',
      comment: 'SQLite is one adapter of the store port (cluster/store.ts); everybody else uses the port.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cluster/local/' },
      to: { path: '^(node:)?sqlite$' },
    },
    {
      name: 'src-without-tests-and-tools',
      comment:
        'What is published must not need what is not: src/ imports nothing from test/, tools/ or bench/. Move the shared part into src/.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|cases)\\.ts$' },
      to: { path: '^(test|tools|bench)/' },
    },
    {
      name: 'no-import-of-a-test',
      comment: 'Importing a test file runs its tests twice. Move what you need beside it: x.cases.ts for shared cases.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'src-without-development-packages',
      comment: 'A user of the package has no devDependencies. Make it a dependency, or do without; only tests may use them.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.(test|cases)\\.ts$', '^src/dashboard/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'dashboard-packages',
      comment:
        'What the page needs is bundled into it, and has to stay small (test/dashboard/size.test.ts): preact, nothing else. Write the small part that you need yourself.',
      severity: 'error',
      from: { path: '^src/dashboard/', pathNot: '\\.(test|cases)\\.ts$' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/preact(/|$)' },
    },
    {
      name: 'preact-in-dashboard-only',
      comment: 'preact is bundled into the page at build time; a user of the package does not have it. The demo’s pages are plain HTML.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/dashboard/', '\\.(test|cases)\\.ts$'] },
      to: { path: '(^|/)node_modules/preact(/|$)' },
    },
    {
      name: 'everything-resolves',
      comment: 'The file or package does not exist: correct the path (relative imports end in .ts) or add the dependency.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
