import { z } from 'zod';

const diffLine = z.strictObject({
  /** In both, only in the base, or only in what is woven. */
  sign: z.enum([' ', '-', '+']),
  text: z.string(),
});

/** A line of two texts, read off the schema. */
export type DiffLine = z.infer<typeof diffLine>;

/** The objects that a release is woven into, as their owner wrote them and as they are served; in order of creation. */
export const wovenRoutesView = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
      /** YAML, without a line end. */
      base: z.string(),
      woven: z.string(),
      /** All lines of both. */
      lines: z.array(diffLine),
    }),
  ),
});

/** What `wovenRoutesView` describes. */
export type WovenRoutesView = z.infer<typeof wovenRoutesView>;
