import { defineConfig } from 'vitest/config';

/** What `npm test` leaves to `test:all` (tools/test.ts): globs with commas between. */
const leftOut = (process.env['PERCH_LEFT_OUT'] ?? '').split(',').filter((glob) => glob !== '');

export default defineConfig({
  test: {
    // What is waited for comes when it comes: a busy machine is no failure.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    setupFiles: ['test/harness/property-share.ts'],
    projects: [
      // Pure functions leave nothing behind: to start a process for each file takes longer than most of their tests.
      { extends: true, test: { name: 'core', include: ['src/core/**/*.test.ts'], isolate: false } },
      {
        extends: true,
        test: {
          name: 'effects',
          include: ['{src,test,tools,bench}/**/*.test.ts'],
          exclude: ['src/core/**', '**/node_modules/**', ...leftOut],
        },
      },
    ],
  },
});
