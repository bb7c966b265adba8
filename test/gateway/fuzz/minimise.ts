/** The shortest text found for which `fails` still holds, by leaving out ever smaller parts; `steps`: how many are tried at most. */
export function minimise(text: string, fails: (candidate: string) => boolean, steps = 2000): string {
  let shortest = text;
  let left = steps;
  for (let size = Math.ceil(text.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length && left > 0; left--) {
      const candidate = shortest.slice(0, at) + shortest.slice(at + size);
      if (fails(candidate)) shortest = candidate;
      else at += size;
    }
  }
  return shortest;
}
