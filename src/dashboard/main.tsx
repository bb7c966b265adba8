import { render } from 'preact';
import { ApiClient } from './data/api-client.ts';
import { LiveReleases } from './data/live-releases.ts';
import { App } from './parts/app.tsx';

const api = new ApiClient(document.baseURI, window.sessionStorage);
const live = new LiveReleases(api);
live.connect();
// A page that the browser keeps for Back must not hold a connection, and begins anew when it is shown again.
window.addEventListener('pagehide', () => live.close());
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) live.connect();
});
const page = document.getElementById('page');
if (page !== null) render(<App api={api} live={live} />, page);
