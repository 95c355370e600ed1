/** A rule with everything in it, for tests. */
import type { Json } from './rule'

const square = { type: 'Polygon', coordinates: [[[105, 21], [106, 21], [106, 22], [105, 21]]] } // prettier-ignore

export const full: Json = {
  id: 'river', vi: 'Nước', en: 'Water', enabled: true, scope: { kind: 'river', area: '19' }, quality: 'any',
  escalation: [{ after: '5m', to: 'role:city-admin' }], late: '1h', storm: { count: 5 }, advice_vi: 'Gọi', later: { version: 9 },
  levels: [
    { priority: 'medium', vi: 'I', en: 'I', for: '1m', repeat: { times: 3, within: '5m' },
      when: { type: 'threshold', property: 'water_level', op: '>=', value: 25, deadband: 0.1 } },
    { priority: 'critical', vi: '', en: '',
      when: { type: 'any', of: [
        { type: 'rate', property: 'water_level', op: '>', value: 0.5, per: '1h', window: '30m', thing: 'r2' },
        { type: 'no-data', property: '*', after: '20m' },
        { type: 'schedule', days: ['mon'], start: '18:00', end: '06:00' },
        { type: 'compare', left: { property: 'a' }, right: { property: 'b' }, by: 'ratio', op: '>', value: 2 },
        { type: 'all', of: [{ type: 'geofence', on: 'inside', area: '19' }, { type: 'geofence', on: 'stay', polygon: square, thing: 'bus' }] },
        { type: 'tide', property: 'of a later version' },
      ] } },
  ],
} // prettier-ignore
