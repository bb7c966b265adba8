/** The logo: a bird that stays on its perch. */
export const LOGO_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" role="img" aria-label="A bird on a perch">
<rect width="48" height="48" rx="11" fill="#0f6e63"/>
<path d="M7 37h34" stroke="#f2d9a6" stroke-width="3.5" stroke-linecap="round"/>
<path d="M13 17c0-5 4-9 9-9 6 0 9 4 10 9l6 13-9-3c-2 3-5 5-9 5-6 0-10-4-10-9l3-6z" fill="#fdf8ee"/>
<path d="M13 15l-6 3 6 2z" fill="#f0a63c"/>
<circle cx="19" cy="15" r="1.9" fill="#16302d"/>
<path d="M20 21c3 5 8 7 13 7" stroke="#0f6e63" stroke-width="2.2" fill="none" stroke-linecap="round"/>
<path d="M19 32v5M25 31v6" stroke="#f0a63c" stroke-width="2.4" stroke-linecap="round"/>
</svg>
`;

/** The book's cover: two twins that one cannot tell apart, but for the side they are on. */
export const COVER_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 340" role="img" aria-label="Cover of The Comedy of Errors">
<defs>
<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#173d52"/><stop offset="1" stop-color="#0f6e63"/></linearGradient>
<linearGradient id="spine" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#000" stop-opacity=".35"/><stop offset="1" stop-color="#000" stop-opacity="0"/></linearGradient>
</defs>
<rect width="240" height="340" rx="6" fill="url(#sky)"/>
<circle cx="120" cy="142" r="50" fill="#f2d9a6"/>
<path d="M0 262c30-16 60-16 90 0s60 16 90 0 50-12 60-8v80a6 6 0 0 1-6 6H6a6 6 0 0 1-6-6z" fill="#0b4f52"/>
<path d="M0 284c30-14 60-14 90 0s60 14 90 0 50-10 60-7v57a6 6 0 0 1-6 6H6a6 6 0 0 1-6-6z" fill="#093f45"/>
<g id="twin">
<path d="M112 250c-46 0-62-18-60-44 1-17 15-28 33-30-13-8-16-30-4-43 9-9 21-10 31-5z" fill="#fdf8ee"/>
<circle cx="94" cy="150" r="3.4" fill="#16302d"/>
<path d="M85 163c6 5 14 6 20 4" stroke="#16302d" stroke-width="2.6" fill="none" stroke-linecap="round"/>
</g>
<g transform="translate(240 0) scale(-1 1)">
<path d="M112 250c-46 0-62-18-60-44 1-17 15-28 33-30-13-8-16-30-4-43 9-9 21-10 31-5z" fill="#f0a63c"/>
<circle cx="94" cy="150" r="3.4" fill="#16302d"/>
<path d="M85 163c6 5 14 6 20 4" stroke="#16302d" stroke-width="2.6" fill="none" stroke-linecap="round"/>
</g>
<g fill="#fdf8ee" font-family="Georgia, 'Times New Roman', serif" text-anchor="middle">
<text x="120" y="42" font-size="22" letter-spacing="1">The Comedy</text>
<text x="120" y="66" font-size="22" letter-spacing="1">of Errors</text>
<text x="120" y="318" font-size="12" letter-spacing="3">SHAKESPEARE</text>
</g>
<rect width="14" height="340" rx="6" fill="url(#spine)"/>
</svg>
`;
