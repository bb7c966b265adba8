import { render } from 'preact';
import { ApiClient } from './data/api-client.ts';
import { LiveReleases } from './data/live-releases.ts';
import { App } from './parts/app.tsx';

const api = new ApiClient(document.baseURI, window.sessionStorage);
const live = new LiveReleases(api);
live.connect();
const page = document.getElementById('page');
if (page !== null) render(<App api={api} live={live} />, page);
