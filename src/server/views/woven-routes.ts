import { objectYaml } from '../../cluster/object-yaml.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { WovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { releasesInRoute } from '../../core/weave-http-route/woven-route.ts';
import type { ApiStore } from '../api-store.ts';
import { lineDiff } from './line-diff.ts';

/** What of the store a release is woven into, as far as the store shows it. */
export async function wovenRoutes(store: Pick<ApiStore, 'list'>, { namespace, name }: ObjectRef): Promise<WovenRoutesView> {
  const release = `${namespace}/${name}`;
  const lists = await Promise.all(['VirtualService', HTTP_ROUTE].map((kind) => store.list(kind)));
  const woven = lists.flat().filter(({ served }) => releasesInRoute(served).includes(release));
  return { items: await Promise.all(woven.map(itemOf)) };
}

async function itemOf({ ref: { kind, namespace, name }, base, served }: StoredObject): Promise<WovenRoutesView['items'][number]> {
  const [before, after] = await Promise.all([objectYaml(base), objectYaml(served)]);
  return { kind, namespace, name, base: before, woven: after, lines: lineDiff(before.split('\n'), after.split('\n')) };
}
