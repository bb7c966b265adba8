/** How all names begin: most agents are told by it to be none of them. */
const PREFIX = 'perch-';
const DEMO = `${PREFIX}demo-visitor`;
const DOCTOR = `${PREFIX}doctor`;
const PROBE = `${PREFIX}probe`;
const BEGINNINGS: readonly string[] = [DEMO, DOCTOR, PROBE].map((name) => `${name}/`);

/** The User-Agent that the demo's synthetic visitors send, so that they are never mistaken for people. */
export const SYNTHETIC_USER_AGENT = `${DEMO}/1 (synthetic)`;

/** The User-Agent of `perch doctor`, whose visitors are synthetic too. */
export const DOCTOR_USER_AGENT = `${DOCTOR}/1 (synthetic visitors of perch doctor)`;

/** The User-Agent of health checks: a service may pass it on to the services that it calls. */
export const PROBE_USER_AGENT = `${PROBE}/1 (health check)`;

/** Whether a request is of a synthetic visitor, told by its User-Agent. */
export function isSynthetic(userAgent: string | undefined): boolean {
  if (userAgent?.startsWith(PREFIX) !== true) return false;
  return BEGINNINGS.some((beginning) => userAgent.startsWith(beginning));
}
