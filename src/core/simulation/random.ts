import { fnv1a32 } from '../visitor/cohort.ts';

/** A source of numbers in [0, 1). */
export type Random = () => number;

/**
 * Independent sources by name, all from one seed: xoshiro128** (Blackman, Vigna, 2018; prng.di.unimi.it), whose 128 bits of state come
 * from seed and name through the mixer of MurmurHash3 (Appleby, public domain). The same seed and name give the same numbers on every machine.
 */
export function seededStreams(seed: number): (name: string) => Random {
  return (name) => {
    let state = (seed ^ fnv1a32(name)) >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      return mixed(state);
    };
    // Never all zero: two of four consecutive outputs of a bijection differ.
    return xoshiro(next(), next(), next(), next());
  };
}

/** The finaliser of MurmurHash3, 32 bits: a bijection in which every input bit changes each output bit half the time. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function xoshiro(a: number, b: number, c: number, d: number): Random {
  let [s0, s1, s2, s3] = [a, b, c, d];
  return () => {
    const result = Math.imul(rotated(Math.imul(s1, 5), 7), 9);
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotated(s3, 11);
    return (result >>> 0) / 2 ** 32;
  };
}

/** An exponentially distributed number: the gap between events of a Poisson process. */
export function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random());
}

/** A normally distributed number, mean 0 and sd 1 (Box, Muller, 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A geometrically distributed count from 0 on. */
export function geometric(mean: number, random: Random): number {
  return Math.floor(Math.log(1 - random()) / Math.log(mean / (1 + mean)));
}
