import { CANARY_COOKIE_AGE } from '../release/canary-release.ts';
import { isUnderWay, PHASES } from '../release/phase.ts';
import { celText, type ValidationRule } from './structural-schema.ts';

/** A part of the spec that must not change under way, and how it is told that two specs, `self.spec` and `oldSelf.spec`, have the same of it. */
interface FrozenPart {
  readonly path: string;
  readonly same: string;
}

/** The field of a spec in CEL, or, where it is left out, what stands for that. No optionals: their sizes are unknown, and rules are limited by those. */
function fieldOr(spec: string, path: string, otherwise: string): string {
  return `(${isThere(spec, path)} ? ${spec}.${path} : ${otherwise})`;
}

function isThere(spec: string, path: string): string {
  const fields = path.split('.');
  return `(${fields.map((_, index) => `has(${[spec, ...fields.slice(0, index + 1)].join('.')})`).join(' && ')})`;
}

const both = (ofSpec: (spec: string) => string): string => `${ofSpec('self.spec')} == ${ofSpec('oldSelf.spec')}`;
const sameValue = (path: string, otherwise = "''"): string => both((spec) => fieldOr(spec, path, otherwise));
const samePresence = (path: string): string => both((spec) => isThere(spec, path));
const all = (...rules: readonly string[]): string => rules.join(' && ');

/** What core/release/change.ts refuses (FROZEN), with the defaults that an apiserver does not fill in. No text of these may be empty. */
const FROZEN: readonly FrozenPart[] = [
  { path: 'service', same: all(sameValue('service.host'), sameValue('service.port', '0')) },
  {
    path: 'route',
    same: all(
      sameValue('route.adopt.virtualService'),
      sameValue('route.adopt.httpRoute'),
      sameValue('route.delegate.name'),
      samePresence('route.managed'),
      sameValue('route.managed.name', 'self.metadata.name'),
      sameValue('route.managed.hosts', '[]'),
      samePresence('route.managed.gateways'),
      sameValue('route.managed.gateways', '[]'),
    ),
  },
  {
    path: 'visitorId.issueAt',
    same: all(sameValue('visitorId.issueAt.virtualService'), sameValue('visitorId.issueAt.httpRoute')),
  },
  { path: 'visitorId.from', same: sameValue('visitorId.from.header') },
  { path: 'visitorId.cookie.name', same: sameValue('visitorId.cookie.name', "'perch'") },
  { path: 'visitorId.cookie.path', same: sameValue('visitorId.cookie.path', "'/'") },
  { path: 'visitorId.cookie.domain', same: sameValue('visitorId.cookie.domain') },
  { path: 'visitorId.cookie.partitioned', same: sameValue('visitorId.cookie.partitioned', 'false') },
  {
    path: 'affinity',
    same: all(
      sameValue('affinity.mode', "'visitor'"),
      sameValue('affinity.cookie.name'),
      sameValue('affinity.cookie.value'),
      sameValue('affinity.cookie.maxAge', celText(CANARY_COOKIE_AGE)),
    ),
  },
];

/**
 * Whether two specs have the same of the field that a part is in, or of both it is absent: most of what is written is a status. Asked first, since it is cheap:
 * what follows costs an apiserver half as much again as all else about writing a status.
 */
function untouched(path: string): string {
  const [field = ''] = path.split('.');
  const [now, was] = [`self.spec.${field}`, `oldSelf.spec.${field}`];
  return `(has(${now}) ? has(${was}) && ${now} == ${was} : !has(${was}))`;
}

const UNDER_WAY = `has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase in [${PHASES.filter(isUnderWay).map(celText).join(', ')}]`;

/**
 * Rules of the whole resource, which sees spec and status, over a change of it: what must not change while a release is under way (PERCH3001) is refused
 * when it is applied. The controller refuses it too: it may know of a start that the status does not tell yet.
 */
export const TRANSITION_RULES: readonly ValidationRule[] = FROZEN.map(({ path, same }) => ({
  rule: `${untouched(path)} || !(${UNDER_WAY}) || (${same})`,
  message: 'cannot change while a release is under way: roll back or finish first',
  fieldPath: `.spec.${path}`,
  reason: 'FieldValueForbidden',
}));
