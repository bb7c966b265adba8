const DEMO = 'perch-demo-visitor';
const DOCTOR = 'perch-doctor';
const PROBE = 'perch-probe';

/** The User-Agent that the demo's synthetic visitors send, so that they are never mistaken for people. */
export const SYNTHETIC_USER_AGENT = `${DEMO}/1 (synthetic)`;

/** The User-Agent of `perch doctor`, whose visitors are synthetic too. */
export const DOCTOR_USER_AGENT = `${DOCTOR}/1 (synthetic visitors of perch doctor)`;

/** The User-Agent of health checks: a service may pass it on to the services that it calls. */
export const PROBE_USER_AGENT = `${PROBE}/1 (health check)`;

/** Whether a request is of a synthetic visitor, told by its User-Agent. */
export function isSynthetic(userAgent: string | undefined): boolean {
  return userAgent !== undefined && [DEMO, DOCTOR, PROBE].some((name) => userAgent.startsWith(`${name}/`));
}
