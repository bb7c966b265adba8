const PRODUCT = 'perch-demo-visitor';

/** The User-Agent that synthetic visitors send, so that they are never mistaken for people. */
export const SYNTHETIC_USER_AGENT = `${PRODUCT}/1 (synthetic)`;

/** Whether a request is of a synthetic visitor, told by its User-Agent. */
export function isSynthetic(userAgent: string | undefined): boolean {
  return userAgent?.startsWith(`${PRODUCT}/`) === true;
}
