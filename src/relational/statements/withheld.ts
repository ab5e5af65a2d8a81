/** Of a turn `t` and its session `s`: not taken out, and not on its way back. */
export const isSeen = `
  (s.state <> 'removed'
   AND NOT EXISTS (SELECT 1 FROM withheld w WHERE w.session = t.session AND w.number = t.transcript))`
