/**
 * Which addresses the gateway may connect to when a client names them: public ones only. Everything else is somebody's
 * own house: loopback, private networks, the link, the metadata of a cloud, and the ways to write an IPv4 address into
 * an IPv6 one, which lead to all of these.
 * Source: IANA special-purpose address registries for IPv4 and IPv6; RFC 4291 §2.4 (global unicast is 2000::/3).
 */
import { BlockList, isIP } from 'node:net';

const REFUSED_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
  // Azure's own services for a virtual machine; the other clouds' metadata lies in the networks above.
  '168.63.129.16/32',
];

/** Of the global unicast addresses: IETF protocols with Teredo, documentation, 6to4. */
const REFUSED_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
const GLOBAL_6 = ['2000::/3'];

function listOf(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

const refused4 = listOf(REFUSED_4, 'ipv4');
const refused6 = listOf(REFUSED_6, 'ipv6');
const global6 = listOf(GLOBAL_6, 'ipv6');

/** False for what is no address at all. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refused4.check(address, 'ipv4');
    case 6:
      return global6.check(address, 'ipv6') && !refused6.check(address, 'ipv6');
    default:
      return false;
  }
}
