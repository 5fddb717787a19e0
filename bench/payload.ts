/**
 * The payload: about 1 KB, an order as a shop would send it. The publisher puts `n` and `t` before these members.
 */
const order = {
  order: {
    id: 'ord_7Zk2Qp9sLmX4',
    currency: 'EUR',
    total: 28490,
    paid: true,
    placedAt: '2025-03-14T09:26:53.589Z',
    note: null,
  },
  customer: {
    id: 'cus_Jw83nVb1',
    name: 'Zoë Brandt-Östlund',
    email: 'zoe.brandt@example.com',
    address: { street: 'Große Bleichen 21', postcode: '20354', city: 'Hamburg', country: 'DE' },
  },
  lines: [
    { sku: 'LAMP-0042-BLK', title: 'Desk lamp, black', quantity: 2, price: 7990, taxRate: 0.19 },
    { sku: 'CHAIR-118-OAK', title: 'Chair, oak, oiled', quantity: 1, price: 12510, taxRate: 0.19 },
  ],
  shipping: { carrier: 'parcel', service: 'express', tracking: 'JD014600003RF6L2N9', weightGrams: 9420 },
  metadata: {
    source: 'web',
    campaign: 'spring-25',
    session: 'b1946ac92492d2347c6235b4d2611184591f0d6c8a7e',
    agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    tags: ['first-order', 'gift', 'newsletter', 'invoice'],
  },
};

/** Members of a JSON object, without its braces. */
export const payloadMembers = JSON.stringify(order).slice(1, -1);
