/** Names without the words that all of them begin with: "Trạm thuỷ văn Chã", "Trạm thuỷ văn Chợ Mới" are Chã and Chợ Mới.
 *  Of one name, and where a name would be empty, they stay. Pure. */
export function short(names: readonly string[]): string[] {
  const words = names.map((name) => name.split(' '))
  let n = 0
  while (words.length > 1 && words.every((one) => one.length > n + 1 && one[n] === words[0]![n])) n++
  return words.map((one) => one.slice(n).join(' '))
}
