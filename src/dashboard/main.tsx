import { render } from 'preact';
import { ApiClient } from './data/api-client.ts';
import { LiveReleases } from './data/live-releases.ts';
import { App } from './parts/app.tsx';

const api = new ApiClient(document.baseURI, window.sessionStorage);
const live = new LiveReleases(api);
// A page that nobody sees, or that the browser keeps for Back, holds no connection, and takes its state anew when it is shown.
const follow = (): void => (document.visibilityState === 'hidden' ? live.rest() : live.resume());
if (document.visibilityState === 'hidden') live.rest();
else live.connect();
document.addEventListener('visibilitychange', follow);
window.addEventListener('pagehide', () => live.rest());
window.addEventListener('pageshow', follow);
const page = document.getElementById('page');
if (page !== null) render(<App api={api} live={live} />, page);
