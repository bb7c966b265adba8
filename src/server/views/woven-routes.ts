import { setImmediate } from 'node:timers/promises';
import { objectYaml } from '../../cluster/object-yaml.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { WovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { releasesInRoute } from '../../core/weave-http-route/woven-route.ts';
import type { ApiStore } from '../api-store.ts';
import { lineDiff } from './line-diff.ts';

type Item = WovenRoutesView['items'][number];

/** What was made of objects: an object is another one after each change, and every page asks for the same. */
const made = new WeakMap<StoredObject, Promise<Item>>();

/** What of the store a release is woven into, as far as the store shows it. */
export async function wovenRoutes(store: Pick<ApiStore, 'list'>, { namespace, name }: ObjectRef): Promise<WovenRoutesView> {
  const release = `${namespace}/${name}`;
  const lists = await Promise.all(['VirtualService', HTTP_ROUTE].map((kind) => store.list(kind)));
  const woven = lists.flat().filter(({ served }) => releasesInRoute(served).includes(release));
  return { items: await Promise.all(woven.map(itemOf)) };
}

function itemOf(stored: StoredObject): Promise<Item> {
  const known = made.get(stored);
  if (known !== undefined) return known;
  const item = makeItem(stored);
  made.set(stored, item);
  return item;
}

async function makeItem({ ref: { kind, namespace, name }, base, served }: StoredObject): Promise<Item> {
  const before = await objectYaml(base);
  // Each takes some time for an object of hundreds of rules; requests come between.
  await setImmediate();
  const after = await objectYaml(served);
  return { kind, namespace, name, base: before, woven: after, lines: await lineDiff(before.split('\n'), after.split('\n')) };
}
