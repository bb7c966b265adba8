// Set for all tests (vitest.config.ts), where core's properties, which know no environment, find it.
(globalThis as { perchPropertyShare?: number }).perchPropertyShare = Number(process.env['PERCH_PROPERTY_SHARE'] ?? 1);
