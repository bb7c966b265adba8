import { suggest } from '../../core/diagnostics/suggest.ts';
import { CommandError } from '../command-error.ts';

/** A kind and the names people call it by; the first one is printed. */
const NAMES = {
  CanaryRelease: ['canaryrelease', 'canaryreleases', 'release', 'releases', 'cr'],
  VirtualService: ['virtualservice', 'virtualservices', 'vs'],
  DestinationRule: ['destinationrule', 'destinationrules', 'dr'],
  Gateway: ['gateway', 'gateways', 'gw'],
  ServiceEntry: ['serviceentry', 'serviceentries', 'se'],
  WorkloadEntry: ['workloadentry', 'workloadentries', 'we'],
} as const;

/** A kind that Perch stores, spelled as in manifests. */
export type Kind = keyof typeof NAMES;

/** Every kind that Perch stores. */
export const KINDS = Object.keys(NAMES) as Kind[];

/** Every word that names a kind. */
const KIND_WORDS: readonly string[] = Object.values(NAMES).flat();

function kindNamed(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return KINDS.find((kind) => (NAMES[kind] as readonly string[]).includes(wanted));
}

/** The kind that a word means, in any case, singular, plural or short. Throws CommandError with a suggestion where none does. */
export function readKind(word: string): Kind {
  const kind = kindNamed(word);
  if (kind !== undefined) return kind;
  const near = suggest(word, KIND_WORDS);
  const known = KINDS.map(kindWord).join(', ');
  throw new CommandError(`"${word}" is no kind of object${near === undefined ? '' : `: did you mean ${near}?`} (kinds: ${known})`);
}

/** The word that names a kind in commands and output: `virtualservice`. */
export function kindWord(kind: Kind): string {
  return NAMES[kind][0];
}
