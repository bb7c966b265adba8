/** Two ids that a release at half, with offset 0, sends to the canary and to stable. */
export const ON_CANARY = '3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a';
export const ON_STABLE = '7c1d2a90-0f3b-4c55-9f0e-fe1241c7568a';

/** What a client may send for a visitor id, and what it is taken for: somebody on one of the versions, or a new visitor. */
export interface ForgedId {
  readonly name: string;
  /** One for each Cookie line, of pairs that HTTP/2 sends as fields of their own. */
  readonly lines: readonly (readonly string[])[];
  readonly taken: 'canary' | 'stable' | 'new';
}

function forged(name: string, taken: ForgedId['taken'], ...lines: readonly (readonly string[])[]): ForgedId {
  return { name, lines, taken };
}

/** Everything that an issue, an attacker or another tool ever put into a cookie of that name. */
export const FORGED_IDS: readonly ForgedId[] = [
  forged('an id on the canary', 'canary', [`perch=${ON_CANARY}`]),
  forged('an id on stable', 'stable', [`perch=${ON_STABLE}`]),
  forged('upper case', 'new', [`perch=${ON_CANARY.toUpperCase()}`]),
  forged('quoted', 'new', [`perch="${ON_CANARY}"`]),
  forged('a quote that does not end', 'new', [`perch="${ON_CANARY}`]),
  forged('nothing', 'new', ['perch=']),
  forged('no value at all', 'new', ['perch']),
  forged('32 hex digits', 'new', [`perch=${ON_CANARY.replaceAll('-', '')}`]),
  forged('another tool’s', 'new', ['perch=GA1.2.1234567890.1234567890']),
  forged('percent-encoded', 'new', [`perch=${ON_CANARY.replaceAll('-', '%2D')}`]),
  forged('too short', 'new', [`perch=${ON_STABLE.slice(0, -1)}`]),
  forged('too long', 'new', [`perch=${ON_STABLE}0`]),
  // Hex digits and hyphens only, and a last group that decides: it is somebody, for whoever wants to be that.
  forged('8 kB of groups before the last', 'canary', [`perch=${'a'.repeat(8_000)}-${ON_CANARY.slice(-12)}`]),
  forged('an attribute', 'new', [`perch=x${ON_CANARY}`, 'Domain=evil.test']),
  forged('a command of Envoy’s', 'new', ['perch=%REQ(cookie)%']),
  forged('bytes beyond ASCII', 'new', ['perch=\u00e9\u00ff']),
  forged('the name in capitals', 'new', [`PERCH=${ON_CANARY}`]),
  forged('a name that ends in it', 'new', [`xperch=${ON_CANARY}`]),
  forged('in another cookie’s value', 'new', [`a=perch=${ON_CANARY}`]),
  forged('among others', 'canary', ['theme=dark', `perch=${ON_CANARY}`, 'last=1']),
  forged('twice, stable before canary', 'canary', [`perch=${ON_STABLE}`, `perch=${ON_CANARY}`]),
  forged('twice, canary before stable', 'canary', [`perch=${ON_CANARY}`, `perch=${ON_STABLE}`]),
  forged('a broken one before it', 'stable', ['perch=broken', `perch=${ON_STABLE}`]),
  forged('a broken one after it', 'stable', [`perch=${ON_STABLE}`, 'perch="broken"']),
];

/** Over several Cookie lines, which HTTP/1.1 forbids clients: they are one list to Envoy, as the crumbs of HTTP/2 are. */
export const SEVERAL_LINES: readonly ForgedId[] = [
  forged('two lines, it alone on the second', 'canary', ['theme=dark'], [`perch=${ON_CANARY}`]),
  forged('two lines, it alone on the first', 'canary', [`perch=${ON_CANARY}`], ['theme=dark']),
  forged('two lines, it in the middle of the second', 'canary', ['theme=dark'], ['a=1', `perch=${ON_CANARY}`, 'b=2']),
  forged('two lines, one on each', 'canary', [`perch=${ON_STABLE}`], [`perch=${ON_CANARY}`]),
  forged('two lines, a broken one on the first', 'stable', ['perch="broken"'], [`perch=${ON_STABLE}`]),
];
