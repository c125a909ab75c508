// The words of captions, without those that say nothing about a picture.
const STOP = new Set(`a about above across after against along am among an and another any are around as at be because been before behind
below beside between both but by can could did do does doing down during each few for from further had has have having he her here hers him his
how i if in inside into is it its itself just know me more most my near next no nor not of off on once only onto or other our out outside over own
same she should so some such than that the their them then there these they this those through to together too toward towards two under until up upon
very was we were what when where which while who whom why will with without would you your`.split(/\s+/));
const MOST_WORDS = 60;

/** [[word, number of captions it is in], …], the most frequent first. */
export function wordsOf(captions) {
  const counts = new Map();
  for (const caption of captions) {
    for (const word of new Set(caption.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [])) {
      if (!STOP.has(word) && word.length > 1) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, MOST_WORDS);
}
