<?php
// The example backend of Cesbo's documentation: access if the parameter "token" equals 123. Replace the rule with your own.
//
//   php -S 127.0.0.1:6000 examples/auth.php
//
// Status 200 allows, any other status denies.

declare(strict_types=1);

$token = $_GET['token'] ?? '';
// Compared as a string: "123 ", "0123", "1.23e2" and token[]=123 are not 123.
if ($token !== '123') {
    http_response_code(403);
    exit;
}

$line = sprintf(
    'session=%s ip=%s path=%s origin=%s ua=%s',
    $_SERVER['HTTP_X_SESSION_ID'] ?? '',
    $_SERVER['HTTP_X_REAL_IP'] ?? '',
    $_SERVER['HTTP_X_REAL_PATH'] ?? '',
    $_SERVER['HTTP_X_REAL_ORIGIN'] ?? '',
    $_SERVER['HTTP_X_REAL_UA'] ?? '',
);
file_put_contents('php://stdout', "allowed $line\n");
http_response_code(200);
