/** Visits of visitors to steps of a release that the statistics are made of: 10 million in `npm run test:all`; a tenth in `npm test`. */
export const VISITOR_STEPS = Number(process.env['PERCH_VISITOR_STEPS'] ?? 1_000_000);
