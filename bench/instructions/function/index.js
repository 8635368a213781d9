'use strict';

exports.handler = () => null;
