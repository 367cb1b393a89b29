// What Algorithmia's client for Node does at a server; prints what it was given, as JSON.
const algorithmia = require('algorithmia');

const [key, address] = process.argv.slice(2);
const client = algorithmia.client(key, address);
const pipe = (name, input, from = client) => new Promise(done => from.algo(name).pipe(input).then(done));
const ask = start => new Promise(done => start(done));

function count(path) {
  return new Promise(done => {
    let files = 0;
    client.dir(path).forEachFile(() => { files += 1; }).then(() => done(files));
  });
}

async function journey() {
  const seen = {};
  seen.text = (await pipe('util/Echo', 'hello')).get();
  seen.json = (await pipe('util/Echo/1.0.0', [1, { a: null }])).get();
  seen.binary = (await pipe('util/Echo', Buffer.from([0, 255]))).result;
  seen.prefixed = (await pipe('algo://util/Echo/1.0.*?timeout=10', 'algo')).get();
  seen.error = (await pipe('demo/none', 'x')).error.message;
  seen.unauthorized = (await pipe('util/Echo', 'x', algorithmia.client('wrong', address))).error.message;
  const directory = client.dir('data://.my/node');
  seen.made = (await ask(done => directory.create(done))).result;
  const file = directory.file('x.txt');
  seen.put = (await ask(done => file.putString('text', done))).result;
  seen.exists = await ask(done => file.exists(done));
  seen.string = await ask(done => file.getString(done));
  const object = directory.file('o.json');
  await ask(done => object.putJson(JSON.stringify({ b: 2 }), done));
  seen.object = await ask(done => object.getJson(done));
  const bytes = directory.file('b.bin');
  await ask(done => bytes.put(Buffer.from([0, 1, 255]), done));
  seen.bytes = (await new Promise(done => bytes.get((error, data) => done(data)))).toString('hex');
  seen.listed = await count('data://.my/node-many');
  seen.deleted = (await ask(done => file.delete(done))).result.deleted;
  seen.gone = await ask(done => file.exists(done));
  seen.directory = (await ask(done => directory.delete(true, done))).result.deleted;
  console.log(JSON.stringify(seen));
}

journey().catch(error => { console.error(error); process.exit(1); });
