import { describe, it } from 'vitest';

/**
 * What a suite may need beyond Node, and the environment variable that says where it is.
 * `npm run test:all` provides all and sets the variables; without them these suites are skipped, loudly (tools/test.ts).
 */
export const REQUIREMENTS = {
  Envoy: 'PERCH_ENVOY',
  Chromium: 'PERCH_CHROMIUM',
  Nginx: 'PERCH_NGINX',
} as const;

function describeWith(need: keyof typeof REQUIREMENTS, name: string, suite: (executable: string) => void): void {
  const executable = process.env[REQUIREMENTS[need]];
  if (executable === undefined || executable === '') {
    // The title is what tools/test-summary.ts looks for.
    describe.skip(`${name} (needs ${need})`, () => it(`npm run test:all provides ${need}`));
  } else {
    describe(name, () => suite(executable));
  }
}

/** A suite that runs a real Envoy; `suite` gets the path of its executable. */
export function describeWithEnvoy(name: string, suite: (executable: string) => void): void {
  describeWith('Envoy', name, suite);
}

/** A suite that drives a real Chromium; `suite` gets the path of its executable. */
export function describeWithChromium(name: string, suite: (executable: string) => void): void {
  describeWith('Chromium', name, suite);
}

/** A suite that puts a real nginx in front; `suite` gets the path of its executable. */
export function describeWithNginx(name: string, suite: (executable: string) => void): void {
  describeWith('Nginx', name, suite);
}
