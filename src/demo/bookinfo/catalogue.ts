/** A product as `/api/v1/products` lists it; the description is trusted HTML of our own. */
export interface Product {
  readonly id: number;
  readonly title: string;
  readonly descriptionHtml: string;
}

/** All that the shop sells: Bookinfo has one book. */
export const PRODUCTS: readonly Product[] = [
  {
    id: 0,
    title: 'The Comedy of Errors',
    descriptionHtml:
      'Two pairs of identical twins, parted by a shipwreck, come to the same city on the same day without knowing of each other. Everyone keeps meeting <em>the other one</em>, which is funny in a play and less so in production.',
  },
];
