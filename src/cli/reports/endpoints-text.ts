import { describeVersion, sameVersion } from '../../core/release/version.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import type { Style } from '../terminal/style.ts';
import { pairOf } from './release-text.ts';

/** `v2 2 of 3 ready, v1 2 of 2 ready`, as far as known; undefined where nothing is, or no release is about to go on. */
export function endpointsText(release: ReleaseView, style: Style): string | undefined {
  const { status } = release;
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'RolledBack' || status?.phase === 'RollingBack';
  if (status?.endpoints === undefined || isOver) return undefined;
  const { stable, canary } = pairOf(release);
  const texts = [canary, stable].flatMap((version) => {
    const count = status.endpoints?.find((each) => sameVersion(each.version, version));
    if (count === undefined) return [];
    const text = `${describeVersion(count.version)} ${count.ready} of ${count.total} ready`;
    return [count.ready < count.total || count.total === 0 ? style.attention(text) : text];
  });
  return texts.length === 0 ? undefined : texts.join(', ');
}
