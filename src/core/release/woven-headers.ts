/** Headers by which weaving knows visitors and their requests: it needs the one match that a header can have. */
export const WOVEN_HEADERS: readonly string[] = ['cookie', 'baggage', 'x-request-id', 'accept', 'sec-fetch-mode'];
